"""Faults that a trace has to name: data, apart from the judgement. How often it is right: docs/diagnosis.md."""
