"""Training of the networks that the pipeline uses: its own pipeline, run by `dvc repro training/dvc.yaml` and by nothing else."""
