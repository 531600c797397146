"""WHEN, and to which audience: segments, campaigns, and what came of each time one went out. No verbs."""

from campaigns.models.campaigns import Campaign, Variant
from campaigns.models.exports import Export, ExportPart
from campaigns.models.runs import CHUNK_SIZE, Arm, Chunk, Run, Sample
from campaigns.models.segments import Segment, SegmentMember
from campaigns.models.uploads import Upload, UploadPart

__all__ = [
    "CHUNK_SIZE",
    "Arm",
    "Campaign",
    "Chunk",
    "Export",
    "ExportPart",
    "Run",
    "Sample",
    "Segment",
    "SegmentMember",
    "Upload",
    "UploadPart",
    "Variant",
]
