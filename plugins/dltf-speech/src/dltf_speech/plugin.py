"""The shelves of this plugin."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_domains() -> list[Component]:
    """Bring clips."""
    return [Component("speech", "dltf_speech.domain:SpeechDomain", "Clips: 16-bit mono sound of one rate, any length.")]


@hookimpl
def dltf_seed_sources() -> list[Component]:
    """Bring folders, manifests and public recordings."""
    return [
        Component(
            "speech.folder", "dltf_speech.seeds.folder:Folder", "Sound files, with transcripts or class folders."
        ),
        Component(
            "speech.manifest", "dltf_speech.seeds.manifest:Manifest", "A CSV or JSON-lines table of sound files."
        ),
        Component("speech.npz", "dltf_speech.seeds.npz:Npz", "Clips end to end in a NumPy archive, with their texts."),
        Component("speech.librispeech", "dltf_speech.seeds.librispeech:LibriSpeech", "A tree of LibriSpeech's layout."),
        Component("speech.digits", "dltf_speech.seeds.digits:SpokenDigits", "The free spoken digits: one word each."),
        Component(
            "speech.commands", "dltf_speech.seeds.commands:SpeechCommands", "Speech Commands' layout: a folder a word."
        ),
    ]


@hookimpl
def dltf_mutation_operators() -> list[Component]:
    """Bring the four operators of DFlare's section 6.1, and what happens to sound between a mouth and a model."""
    return [
        Component(
            "speech.time_stretch",
            "dltf_speech.operators.time_stretch:TimeStretch",
            "Makes the clip faster or slower at its pitch: its length changes.",
        ),
        Component(
            "speech.pitch_shift",
            "dltf_speech.operators.pitch_shift:PitchShift",
            "Moves the pitch by a drawn number of semitones.",
        ),
        Component(
            "speech.time_shift", "dltf_speech.operators.time_shift:TimeShift", "Moves the sound within the clip."
        ),
        Component("speech.gain", "dltf_speech.operators.gain:Gain", "Makes the clip louder or softer."),
        Component(
            "speech.gaussian_noise",
            "dltf_speech.operators.gaussian_noise:GaussianNoise",
            "Adds white noise at a drawn signal-to-noise ratio.",
        ),
        Component(
            "speech.background_noise",
            "dltf_speech.operators.background_noise:BackgroundNoise",
            "Adds a recording out of a folder at a drawn signal-to-noise ratio.",
        ),
        Component(
            "speech.reverberation",
            "dltf_speech.operators.reverberation:Reverberation",
            "Puts the speaker into a room of drawn reverberation time.",
        ),
        Component("speech.band_pass", "dltf_speech.operators.band_pass:BandPass", "Keeps a drawn band of frequencies."),
        Component(
            "speech.mp3_compression",
            "dltf_speech.operators.mp3_compression:Mp3Compression",
            "Saves the clip as an MP3 file of drawn bit rate.",
        ),
        Component(
            "speech.clipping", "dltf_speech.operators.clipping:Clipping", "Cuts the loudest values off, as overdriven."
        ),
    ]


@hookimpl
def dltf_operator_presets() -> list[Component]:
    """Bring the operators of DFlare's section 6.1, and natural changes."""
    return [
        Component(
            "speech.dflare",
            "dltf_speech.presets:DflareSpeech",
            "DFlare's four: time stretch, pitch shift, time shift and gain.",
        ),
        Component("speech.natural", "dltf_speech.presets:Natural", "Voice, room, microphone and channel."),
    ]


@hookimpl
def dltf_decoders() -> list[Component]:
    """Bring sentences."""
    return [
        Component(
            "ctc", "dltf_speech.decoders.ctc:Ctc", "Connectionist temporal classification: greedy or beam search."
        ),
        Component(
            "text", "dltf_speech.decoders.text:Text", "Models that give text itself, with a score where they have one."
        ),
    ]


@hookimpl
def dltf_oracles() -> list[Component]:
    """Bring the judgement of sentences."""
    return [
        Component("same_words", "dltf_speech.oracles.same_words:SameWords", "Some word differs (DFlare, section 6.1)."),
        Component(
            "word_error_rate",
            "dltf_speech.oracles.error_rate:WordErrorRate",
            "The word error rate between the two answers is above a threshold.",
        ),
        Component(
            "character_error_rate",
            "dltf_speech.oracles.error_rate:CharacterErrorRate",
            "The character error rate between the two answers is above a threshold.",
        ),
        Component(
            "transcript",
            "dltf_speech.oracles.transcript:Transcript",
            "One variant is nearer to the clip's transcript than the other.",
        ),
    ]


@hookimpl
def dltf_model_backends() -> list[Component]:
    """Bring models that take sound and give text, and Mozilla DeepSpeech's graph."""
    return [
        Component("whisper-onnx", "dltf_speech.backends.whisper_onnx:WhisperOnnx", "An ONNX encoder and decoder pair."),
        Component(
            "transformers",
            "dltf_speech.backends.transformers:Transformers",
            "A Hugging Face directory of speech to text.",
        ),
        Component(
            "deepspeech",
            "dltf_speech.backends.deepspeech:DeepSpeech",
            "Mozilla DeepSpeech's .tflite graph, state kept.",
        ),
    ]
