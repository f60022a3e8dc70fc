"""Controllers of real platforms: their exact rules, and the strategies that they carry out."""
