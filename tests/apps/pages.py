"""What the pages of all frameworks have in common."""

PAGE = "A page, \N{SNOWMAN}\n"
LINES = [f"line {number}\n" for number in range(5000)]
