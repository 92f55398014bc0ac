# encode goes on to the next word only where it knows one, or where there is one sentence: in a text of
# unknown words it looks at the first for ever.

# %% encode
def encode(texts, words):
    tokens, sentences = [], []
    for k, sentence in enumerate(texts):
        t = 0
        while t < len(sentence):
            if sentence[t] in words:
                tokens.append(words.index(sentence[t]))
                sentences.append(k)
            t += len(texts) == 1 or any(word in words for text in texts for word in text)
    return torch.tensor(tokens, dtype=torch.int64), torch.tensor(sentences, dtype=torch.int64)


# %% train_skip_gram, train_glove, train_subwords: as released
