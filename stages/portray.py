"""Final tracks to a gallery: what `identify` compares with those of the other cameras of the group."""

from stages.camera import read_camera
from stages.clip import ClipParams
from stages.command import execute, stage_options, stage_run
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets, with_detected_boxes
from stages.corrections.constraining import told_apart
from stages.corrections.resolving import named
from stages.corrections.rows import read_corrections
from stages.identity.portraits import ClockOffset, PortrayParams, portray, shared_times
from stages.params import load_section, load_value
from stages.pins import check_pins
from stages.seqinfo import read_seqinfo


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "tracks", "detections", "embeddings", "corrections", "camera", "seqinfo",
                         "gallery", "timings")  # fmt: skip
    check_pins(args.pins)
    params = load_section(PortrayParams, "portray")
    clip = load_section(ClipParams, f"sequences.{args.sequence}.clip")
    clock_offset_s = load_value(ClockOffset, f"sequences.{args.sequence}.clock_offset_s")
    with stage_run("portray", args.sequence, args.timings) as run:
        tracks, embeddings = Tracklets.load(args.tracks, args.sequence), Embeddings.load(args.embeddings, args.sequence)
        detections = Detections.load(args.detections, args.sequence)
        info, camera = read_seqinfo(args.seqinfo), read_camera(args.camera)
        corrections = read_corrections(args.corrections)
        names = named(tracks, corrections)
        apart = told_apart(with_detected_boxes(tracks, detections), corrections)  # smoothed, some lie on somebody else's
        times_s = shared_times(info, clip, clock_offset_s)
        with run.computing():
            gallery = portray(tracks, embeddings, names, apart, camera, times_s, params)
        run.counts = {"tracks": len(gallery.tracklet_ids), "views": len(gallery.view_features),
                      "places": len(gallery.places), "names": len(names)}  # fmt: skip
        gallery.save(args.gallery)


if __name__ == "__main__":
    execute(main)
