"""What is read from a host before anything is planned: one script of questions, one answer for each."""
