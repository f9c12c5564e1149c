"""fupin: compares a household register with departmental extracts and says what a person must look at."""

__version__ = "0.1.0"
