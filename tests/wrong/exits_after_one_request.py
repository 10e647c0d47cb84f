"""Wrong: it serves one client, and is done."""

from polite import answer, listen

connection, address = listen().accept()
answer(connection)
connection.close()
