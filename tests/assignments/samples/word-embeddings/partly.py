# What was done is right: Questions 1 to 3, pairs, and the pieces of words.

# %% keep_probabilities, subsample, noise_distribution, draw_negatives: as released

# %% negative_sampling, train_skip_gram, glove, train_glove, train_subwords: as released
