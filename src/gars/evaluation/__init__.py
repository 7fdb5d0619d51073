"""Evaluation on held-out data: protocols, predictors, baselines, the benchmark and its reports."""
