"""Generated code of TensorFlow Serving's API: see NOTICE."""
