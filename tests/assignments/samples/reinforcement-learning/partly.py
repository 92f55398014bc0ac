# What was done is right: Questions 1, 2 and 5, the update and the table of Question 3, replay and
# targets of Question 4. The agents with networks, GAE and PPO are as released.

# %% dqn_loss, update_target, train_dqn: as released

# %% td_errors, gae, actor_critic_loss, ppo_loss, ppo_diagnostics, train_ppo: as released
