"""A simulated year: many domains, the weather of the outside world, and what it shows of them day by day.

Unlike the demo's world (`simulator/world.py`) it is never held in memory as a whole: domains are drawn one by one.
"""
