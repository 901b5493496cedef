"""Mission mystique and managing for mission: the code behind the book, the data and the exercises."""

import sys

# jsonschema, on which Altair and nbgrader stand, imports a checker of web addresses in other alphabets if it is there. It builds a
# parser each time, which takes most of the start of any command here, and nothing here has such an address to check.
sys.modules.setdefault("rfc3987_syntax", None)
