"""One digest, several faces: workbooks to send, a page to show, a summary on the terminal, JSON for programs."""
