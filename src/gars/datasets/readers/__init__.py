"""One reader per dialect: from the files people have to the normal form."""
