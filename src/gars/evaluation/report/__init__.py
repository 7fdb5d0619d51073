"""The evaluation report: results as values, and what is made of them: tables, plots, pages, docs/benchmarks.md."""
