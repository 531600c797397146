"""The queues as RabbitMQ must be told of them; on Redis they need no description."""

from collections.abc import Sequence

from kombu import Exchange, Queue

from notifications.queues import PLANNER_QUEUE, RECEIPTS_QUEUE
from notifications.vocabulary import Lane


def quorum_queues() -> Sequence[Queue]:
    """Every queue of every worker, replicated.

    Of a quorum queue (rabbitmq.com/docs/quorum-queues) what was published survives the loss of a machine.
    """
    exchange = Exchange("bongsu", type="topic", durable=True)
    names = [*(lane.value for lane in Lane), PLANNER_QUEUE, RECEIPTS_QUEUE]
    return [
        Queue(name, exchange, routing_key=name, queue_arguments={"x-queue-type": "quorum"}, durable=True)
        for name in names
    ]
