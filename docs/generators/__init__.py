"""What writes the pages of the reference from the code they describe; each module gives pages as path -> text."""
