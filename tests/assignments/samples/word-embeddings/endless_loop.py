# encode does not go on from a word that is not in the list.

# %% encode
def encode(texts, words):
    tokens, sentences = [], []
    for k, sentence in enumerate(texts):
        t = 0
        while t < len(sentence):
            if sentence[t] not in words:
                continue
            tokens.append(words.index(sentence[t]))
            sentences.append(k)
            t += 1
    return torch.tensor(tokens, dtype=torch.int64), torch.tensor(sentences, dtype=torch.int64)


# %% train_skip_gram, train_glove, train_subwords: as released
