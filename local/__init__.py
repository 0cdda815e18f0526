"""Everything on one machine, for trying and testing: PostgreSQL, the simulator, Airflow. Not for production."""
