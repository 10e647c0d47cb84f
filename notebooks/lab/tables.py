"""Tables, drawn where a notebook is read, and lined up where there is only text."""


class Table:
    """Rows of anything that can be printed, under a heading for each column.

    The first column names the rows. An empty text is a cell with nothing in it.
    """

    def __init__(self, headings, rows):
        self.headings = [str(heading) for heading in headings]
        self.rows = [[str(cell) for cell in row] for row in rows]

    def _repr_markdown_(self):
        lines = [self.headings, ["---"] * len(self.headings), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def __repr__(self):
        lines = [self.headings, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
                  for line in lines]
        return "\n".join("  ".join(line).rstrip() for line in padded)
