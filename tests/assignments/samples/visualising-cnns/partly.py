# What was done is right: Question 1, the rules of a ReLU, occlusion, the first half of Question 5,
# total variation and probes.

# %% modified_gradient, grad_cam, integrated_gradients, completeness_gap: as released

# %% randomised, sanity_curve, class_image, invert_features, layer_features: as released
