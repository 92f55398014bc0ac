# Questions 1 and 2 are right, sparse codes without a dictionary, and the parts of Question 6.

# %% update_dictionary, learn_dictionary: as released

# %% kl_sparsity, top_k, TopKAutoencoder: as released

# %% corrupt, ridge_denoiser, train_denoiser: as released

# %% VAE, draw_pictures, train_vae: as released
