"""Small Hugging Face directories with random weights of a fixed seed, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dltf_speech.backends.whisper_tokens import byte_of_character

LETTERS = ("<pad>", "|", *"abcdefghijklmnopqrstuvwxyz")


def whisper(folder: Path, seed: int = 0) -> Path:
    """Write a Whisper of one layer that hears one second; return its config.json."""
    import torch
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    folder.mkdir(parents=True, exist_ok=True)
    letters = {letter: number for number, letter in enumerate(byte_of_character())}
    special = ("<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>")
    tokenizer = WhisperTokenizer(vocab=letters | {token: 256 + i for i, token in enumerate(special)}, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    end, start, quiet = (tokenizer.convert_tokens_to_ids(token) for token in special)
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_source_positions=50,
        max_target_positions=32,
        init_std=0.5,
        decoder_start_token_id=start,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    torch.manual_seed(seed)
    model = WhisperForConditionalGeneration(config)
    model.generation_config.no_timestamps_token_id = quiet
    model.generation_config._from_model_config = False  # else what is said here is made anew from the config
    return _saved(folder, model, WhisperProcessor(WhisperFeatureExtractor(chunk_length=1), tokenizer))


def wav2vec2(folder: Path, seed: int = 0) -> Path:
    """Write a Wav2Vec2 of one layer over a blank, a space and a to z; return its config.json."""
    import torch
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({letter: number for number, letter in enumerate(LETTERS)}), encoding="utf-8")
    tokenizer = Wav2Vec2CTCTokenizer(
        str(vocabulary), pad_token="<pad>", unk_token="<pad>", bos_token=None, eos_token=None, word_delimiter_token="|"
    )
    config = Wav2Vec2Config(
        vocab_size=len(LETTERS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(16, 16, 16),
        conv_kernel=(10, 8, 4),
        conv_stride=(5, 4, 4),
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        initializer_range=0.5,
        pad_token_id=0,
    )
    torch.manual_seed(seed)
    model = Wav2Vec2ForCTC(config)
    return _saved(folder, model, Wav2Vec2Processor(Wav2Vec2FeatureExtractor(sampling_rate=16000), tokenizer))


def _saved(folder: Path, model: Any, processor: Any) -> Path:
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder / "config.json"
