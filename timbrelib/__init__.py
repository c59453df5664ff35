"""VQ-VAE timbre models that follow drawn descriptor curves.

Public names are imported on first use, so that ``import timbrelib`` itself is quick.

Examples
--------
>>> import timbrelib
>>> violin = timbrelib.load("violin")
>>> result = violin.render(violin.target("centroid", "sin", n_frames=259))
>>> result.audio.shape  # 6 s, for result.play() and result.save("brightness")
(132096,)
"""

import lazy_loader

from timbrelib.files import prepare_user_folders

__version__ = "0.1.0"

prepare_user_folders()  # before librosa and matplotlib are imported

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["descriptors", "plots"],
    submod_attrs={
        "audio.frames": ["frame_gain", "spectra"],
        "audio.levels": ["unit_level"],
        "audio.player": ["play"],
        "audio.sound_files": ["load_audio"],
        "audio.sound_output": ["save_audio"],
        "codebook.analysis": ["analyse_codebook"],
        "codebook.table": ["Codebook"],
        "control.code_path": ["CodePath"],
        "control.curves": ["break_points", "fade", "read_curve", "resample_curve"],
        "control.melody": ["Melody", "extract_melody"],
        "control.rendering": ["Rendering", "plot_traversals"],
        "control.saved_rendering": ["SavedRendering", "load_rendering"],
        "control.scores": ["Scores", "TrackingScore"],
        "control.search": ["Search"],
        "control.instruments.sfz": ["save_sfz"],
        "control.targets": ["Target"],
        "control.timbre": ["Timbre", "load"],
        "control.transfer": ["Transfer"],
        "control.transfer_scores": ["TransferScore", "score_transfer"],
        "control.instruments.wavetable": ["save_wavetable"],
        "evaluation.examples": ["longest_recording", "play_phrase"],
        "evaluation.comparison": ["Comparison"],
        "evaluation.methods": ["compare_methods", "compare_renderings"],
        "evaluation.metrics": ["hnr_and_flux", "log_spectral_distance", "pitch_jumps"],
        "evaluation.published": ["PUBLISHED"],
        "evaluation.recognition": ["heard_as"],
        "model.checkpoint": ["list_models", "load_card", "load_history", "load_model", "save_model"],
        "model.network": ["VQVAEConfig"],
        "model.vqvae": ["VQVAE"],
        "pad.code_scatter": ["CodeScatter"],
        "pad.target_pad": ["TargetPad"],
        "recordings.corpus": ["Recording", "load_excerpts", "load_recordings"],
        "recordings.scan": ["Scan", "scan_recordings"],
        "recordings.synthetic": ["string_melody", "write_strings"],
        "recordings.training_frames": ["Frames", "cut_frames"],
        "training.config": ["TrainingConfig"],
        "training.recipe": ["train_timbre"],
        "training.trainer": ["train"],
    },
)
