"""Training of the networks that the pipeline uses: run by `dvc repro training/dvc.yaml` and by nothing else."""
