"""All that one server computes, keeps and forgets."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..checkpoints.examiner import Examiner
from ..photos.decoder import DecoderPool
from .bundles import BundleWriter
from .catalog import Catalog
from .gradio_queue import upload_folder
from .inference import Compute, Inference
from .photo_store import PhotoStore
from .settings import Settings
from .uploads import UploadFolder
from .viewer_requests import ViewerRequests
from .visit_requests import VisitRequests
from .visitors import Visitors
from .work_queue import FILES_NICENESS, WorkQueue

LAST = 19  # niceness: behind everything else


@dataclass(frozen=True, eq=False)
class Service:
    """The objects of one server, made once and handed to its page, its API and its middleware. Several in one
    process share nothing."""

    settings: Settings
    folder: Path  # of the uploads, and what is saved of them
    uploads: UploadFolder
    photos: PhotoStore
    catalog: Catalog
    inference: Inference
    bundles: BundleWriter
    viewer: ViewerRequests
    visits: VisitRequests
    visitors: Visitors
    decoders: DecoderPool
    examiner: Examiner  # of checkpoints

    @property
    def queues(self) -> list[WorkQueue]:
        """All in which work waits for a thread."""
        inference = self.inference
        return [
            inference.queue,
            inference.decoding,
            self.catalog.queue,
            self.viewer.queue,
            self.bundles.queue,
        ]

    def hangs(self) -> bool:
        """Whether any work does not come to an end. Who waits for such work gets an error."""
        hanging = [queue for queue in self.queues if queue.hangs()]
        return bool(hanging)

    def expire(self) -> None:
        """Let go of what nobody used for as long as the settings say."""
        self.visitors.expire()
        self.inference.expire()
        self.catalog.expire()
        self.examiner.expire(60 * self.settings.keep)

    def make_room(self) -> None:
        """Let go of half of what can be computed or opened again."""
        self.inference.make_room()
        self.catalog.make_room()

    def close(self) -> None:
        """Stop the work under way, and take no more."""
        self.inference.close()
        for queue in (self.bundles.queue, self.viewer.queue):
            queue.close()
        self.decoders.close()
        self.examiner.close()


def make_service(
    settings: Settings | None = None,
    folder: Path | None = None,
    catalog: Catalog | None = None,
    compute: Compute | None = None,
) -> Service:
    """A service by these settings. Without ``folder``, uploads are where Gradio puts those of pages that are
    launched without ``launch.serve``; ``catalog`` and ``compute`` take the place of those that the settings
    give."""
    settings = settings or Settings()
    folder = folder or upload_folder() or Path(tempfile.gettempdir())
    examiner = Examiner(niceness=LAST)
    catalog = catalog or Catalog(settings, check=examiner.check)
    uploads = UploadFolder(folder, settings.keep)
    photos = PhotoStore(uploads, settings)
    decoders = DecoderPool(settings.at_once, FILES_NICENESS)
    inference = Inference(settings, catalog, compute or Compute(open=decoders.open_file))
    bundles = BundleWriter(folder, photos, catalog, inference, settings.free_mb * 1_000_000)
    visitors = Visitors(uploads, catalog, inference, 60 * settings.keep, settings.quota_mb * 1_000_000)
    visitors.also(inference.release)
    visitors.also(catalog.release)
    viewer = ViewerRequests(photos, catalog, inference, bundles, visitors)
    return Service(
        settings,
        folder,
        uploads,
        photos,
        catalog,
        inference,
        bundles,
        viewer,
        VisitRequests(settings, photos, catalog, viewer, visitors),
        visitors,
        decoders,
        examiner,
    )
