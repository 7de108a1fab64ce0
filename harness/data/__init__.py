"""Golden sets, training sets and corpora: files a person wrote, read into records with every problem at once."""
