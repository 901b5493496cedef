"""Problem sets: the checks of their test cells, what is handed out, trial runs of answers, and feedback."""
