"""Migration operations for tables that are partitioned by RANGE on their primary key.

The table comes from the model's state, as for every other model, so table and state cannot drift apart.
"""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex, CreateModel
from django.db.migrations.state import ProjectState


class CreatePartitionedModel(CreateModel):
    """`CREATE TABLE … PARTITION BY RANGE (id)`, with a default partition that is meant to stay empty."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        plain: Any = schema_editor.sql_create_table
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE (id)"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")


#: The partitions of a table that have no index of a name's kind yet.
_BARE = """
    SELECT child.relname
      FROM pg_inherits
      JOIN pg_class AS child ON child.oid = inhrelid
     WHERE inhparent = %s::regclass
       AND NOT EXISTS (SELECT 1
                         FROM pg_index
                         JOIN pg_inherits AS attached ON attached.inhrelid = indexrelid
                        WHERE indrelid = child.oid AND attached.inhparent = %s::regclass)
     ORDER BY child.relname
"""


class AddIndexBitByBit(AddIndex):
    """An index on a partitioned table while others write: one partition after the other, without a lock that lasts.

    PostgreSQL builds none CONCURRENTLY on the parent. So the parent gets an empty one that counts for nothing until every
    partition's own is attached. Broken off, it is simply run again. For migrations with `atomic = False`.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        table, name = model._meta.db_table, self.index.name
        made = str(self.index.create_sql(model, schema_editor))
        on = f'ON "{table}"'
        assert on in made
        empty = made.replace(on, f"ON ONLY {on[3:]}").replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS")
        # the parent has no rows of its own, so this is done at once
        schema_editor.execute(f"-- squawk-ignore require-concurrent-index-creation\n{empty}")
        if schema_editor.collect_sql:
            return  # somebody wants to read the SQL; which partitions there are is another machine's affair
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(_BARE, [table, name])
            bare = [partition for (partition,) in cursor.fetchall()]
        for partition in bare:
            part = f"{partition}_{name}"[-63:].lstrip("_")
            schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{part}"')
            own = made.replace(f'"{name}"', f'"{part}"').replace(on, f'ON "{partition}"')
            schema_editor.execute(own.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY"))
            schema_editor.execute(f'ALTER INDEX "{name}" ATTACH PARTITION "{part}"')
