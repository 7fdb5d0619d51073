"""The public test kit: contract checks for each port, doubles they must reject, and a fake clock."""
