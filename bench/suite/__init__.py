"""The benchmark suite: Weighbridge beside every package it can be compared to. Run it as tools/bench."""
