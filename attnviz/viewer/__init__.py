"""The page's own Gradio components, and its style sheet."""
