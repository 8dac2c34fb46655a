"""What is carried into the sandbox: these modules run there, import nothing of the grader's, and keep no secret."""
