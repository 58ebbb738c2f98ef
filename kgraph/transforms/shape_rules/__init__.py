"""What each of Keras's own layers and operations makes of what it is given: tables, proved against Keras."""
