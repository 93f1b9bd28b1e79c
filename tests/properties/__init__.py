"""Random projects on which the engine and the naive evaluator must agree."""
