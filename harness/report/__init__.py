"""Records as pages and files for people and other programs: HTML, Markdown, JUnit, GitHub."""
