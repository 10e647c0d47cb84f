package main

import (
	"fmt"
	"net"
	"os"
)

func fromEnvironment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	host := fromEnvironment("HOST", "127.0.0.1")
	port := fromEnvironment("PORT", "8888")

	// Your server: it listens on host and port, and whatever a client asks, the answer is
	// "HTTP/1.1 200 OK\r\n\r\nHello, World!\n", and the end of the connection.
	fmt.Printf("Nothing listens on %s yet.\n", net.JoinHostPort(host, port))
}
