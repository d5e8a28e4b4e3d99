"""GTA-Link's two steps, from the paper's description: the baseline that `split` and `merge` are compared with.

Sun et al. 2024, "GTA: Global tracklet association for multi-object tracking in sports". Split: DBSCAN over a tracklet's
embeddings; where it finds more than MAX_CLUSTERS, the nearest join. Connect: again and again the two tracklets with the least
mean pairwise cosine distance join, unless they share a frame or lie too far apart, up to a distance.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN, AgglomerativeClustering  # type: ignore[import-untyped]

from stages.boxes import foot_points
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets, relabel

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_ROWS = 100  # shorter tracklets are not split
RADIUS = 0.6  # of DBSCAN, cosine distance
MIN_SAMPLES = 10
MAX_CLUSTERS = 3
MAX_DISTANCE = 0.4  # up to which tracklets join
SPATIAL_FACTOR = 1.0  # of the range of all places, that lies at most between an end and a beginning


def gta_link(tracklets: Tracklets, embeddings: Embeddings) -> Tracklets:
    """Both steps."""
    return connected(split_by_density(tracklets, embeddings), embeddings)


def split_by_density(tracklets: Tracklets, embeddings: Embeddings) -> Tracklets:
    """Each long tracklet cut into its clusters; rows without a cluster go with the row before them."""
    ids, next_id = tracklets.tracklet_ids.copy(), int(tracklets.tracklet_ids.max(initial=0)) + 1
    found = embeddings.rows_of(tracklets.detection_indices)
    for start, stop in zip(tracklets.offsets()[:-1], tracklets.offsets()[1:], strict=True):
        rows = np.flatnonzero(found[start:stop] >= 0) + start
        if len(rows) < max(MIN_ROWS, 2):
            continue
        labels = _clusters(embeddings.features[found[rows]].astype(np.float64))
        every = labels[np.maximum(np.searchsorted(rows, np.arange(start, stop), side="right") - 1, 0)]
        for label in np.unique(every)[1:]:
            ids[start:stop][every == label] = next_id
            next_id += 1
    return relabel(tracklets, ids)


def _clusters(features: Array) -> Ints:
    """(K,) cluster of each feature (K, D)."""
    labels = DBSCAN(eps=RADIUS, min_samples=MIN_SAMPLES, metric="cosine").fit_predict(features)
    names = np.unique(labels[labels >= 0])
    if len(names) == 0:
        return np.zeros(len(labels), np.int64)
    centres = np.stack([features[labels == name].mean(axis=0) for name in names])
    if len(names) > MAX_CLUSTERS:
        names = AgglomerativeClustering(MAX_CLUSTERS, metric="cosine", linkage="average").fit_predict(centres)
    similarity = features @ (centres / np.linalg.norm(centres, axis=1, keepdims=True)).T
    return np.asarray(names[similarity.argmax(axis=1)], dtype=np.int64)


def connected(tracklets: Tracklets, embeddings: Embeddings) -> Tracklets:
    """Tracklets joined hierarchically; each distance is the mean over all pairs of embeddings, computed as the paper says."""
    offsets, found = tracklets.offsets(), embeddings.rows_of(tracklets.detection_indices)
    parts = [np.arange(a, b) for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
    looks = [embeddings.features[found[rows][found[rows] >= 0]].astype(np.float32) for rows in parts]
    places = foot_points(tracklets.bboxes)
    reach = SPATIAL_FACTOR * np.ptp(places, axis=0) if len(places) else np.zeros(2)
    frames = tracklets.frame_numbers

    def distance(a: int, b: int) -> float:
        earlier, later = sorted((a, b), key=lambda k: frames[parts[k][0]])
        step = np.abs(places[parts[later][0]] - places[parts[earlier][-1]])
        if np.intersect1d(frames[parts[a]], frames[parts[b]]).size or (step > reach).any() or not len(looks[a]) * len(looks[b]):
            return np.inf
        return float(1 - (looks[a] @ looks[b].T).mean())

    count = len(parts)
    table = np.full((count, count), np.inf)
    for a in range(count):
        for b in range(a + 1, count):
            table[a, b] = table[b, a] = distance(a, b)
    ids = tracklets.tracklet_ids.copy()
    while count:
        a, b = divmod(int(table.argmin()), count)
        if table[a, b] >= MAX_DISTANCE:
            break
        parts[a] = np.sort(np.concatenate([parts[a], parts[b]]))
        parts[a] = parts[a][np.argsort(frames[parts[a]], kind="stable")]
        looks[a] = np.concatenate([looks[a], looks[b]])
        ids[parts[a]] = ids[parts[a][0]]
        table[b] = table[:, b] = np.inf
        for c in range(count):
            if c != a and np.isfinite(table[a, c]):
                table[a, c] = table[c, a] = distance(a, c)
    return relabel(tracklets, ids)
