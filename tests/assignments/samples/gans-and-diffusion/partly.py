# Questions 1 and 2 are right, schedules and noise of Question 4, and the loss of Question 5.

# %% wasserstein_1d, gradient_penalty, critic_loss, train_gan: as released

# %% posterior: as released

# %% estimate_clean, ideal_noise, train_diffusion: as released

# %% ddpm_step, ddpm_sample, ddim_step, ddim_sample: as released
