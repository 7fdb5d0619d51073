"""TensorBoard: event files written with its own protobufs (no TensorFlow), and the server that shows them."""
