"""Pages: the web page, built from `page/`, and templates of pages without scripts."""
