"""What the lab's hosts are made of and may fetch: built once, cached, served by hdss7-200."""
