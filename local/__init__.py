"""Everything on one machine, for trying and testing: PostgreSQL from a wheel, the simulator, Airflow. Not production."""
