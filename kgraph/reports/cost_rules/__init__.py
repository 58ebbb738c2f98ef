"""What one call of each class of layer and operation costs, as tables: class → rule."""
