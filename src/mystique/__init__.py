"""Mission mystique and managing for mission: the code behind the book, the data and the exercises."""
