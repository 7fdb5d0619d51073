"""What ``scrapy crawl`` knows more in this project."""
