"""Before the deployment: the version before it gives nothing to review, and changes drafts only.

Backwards, what is in review becomes a draft again.
"""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

#: Whatever columns a version will have: once it is no draft, only where it stands may change, and only onwards.
_IMMUTABLE = """
    CREATE FUNCTION template_version_is_immutable() RETURNS trigger LANGUAGE plpgsql AS
    $$ DECLARE
        -- what is sent back lets go of the partials that it kept
        free text[] := CASE NEW.state WHEN 'draft' THEN '{state,published_at,partials}'::text[]
                                      ELSE '{state,published_at}'::text[] END;
    BEGIN
        IF OLD.state <> 'draft' AND to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
            RAISE EXCEPTION 'Only a draft of a template can be changed.' USING ERRCODE = 'check_violation';
        END IF;
        IF OLD.published_at IS NOT NULL AND NEW.published_at IS DISTINCT FROM OLD.published_at THEN
            RAISE EXCEPTION 'A version is published once.' USING ERRCODE = 'check_violation';
        END IF;
        IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
            ('draft', 'in_review'), ('draft', 'published'),
            ('in_review', 'draft'), ('in_review', 'published'),
            ('published', 'retired')
        ) THEN
            RAISE EXCEPTION 'A version does not go from % to %.', OLD.state, NEW.state
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$;

    CREATE TRIGGER template_version_is_immutable
    BEFORE UPDATE ON templates_app_templateversion
    FOR EACH ROW EXECUTE FUNCTION template_version_is_immutable();
"""
_MUTABLE = """
    DROP TRIGGER template_version_is_immutable ON templates_app_templateversion;
    DROP FUNCTION template_version_is_immutable();
    UPDATE templates_app_templateversion SET state = 'draft' WHERE state = 'in_review';
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("templates_app", "0004_steps_of_versions"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="template",
            options={
                "permissions": [
                    ("route_template", "Can move a template to another category, and change the way it takes")
                ]
            },
        ),
        migrations.AlterModelOptions(
            name="templateversion",
            options={
                "permissions": [
                    ("submit_templateversion", "Can give a draft to review"),
                    ("approve_templateversion", "Can approve what is in review, or send it back"),
                    ("publish_templateversion", "Can publish where no approval is needed"),
                    ("rollback_templateversion", "Can go back to an earlier version"),
                ]
            },
        ),
        migrations.RemoveConstraint(model_name="templateversion", name="template_version_state_known"),
        migrations.RemoveConstraint(model_name="templateversion", name="template_version_published_at"),
        migrations.AlterField(
            model_name="templateversion",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("in_review", "In review"),
                    ("published", "Published"),
                    ("retired", "Retired"),
                ],
                default="draft",
                editable=False,
                max_length=9,
            ),
        ),
        AddConstraintNotValid(
            model_name="templateversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["draft", "in_review", "published", "retired"])),
                name="template_version_state_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="templateversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("published_at__isnull", True), ("state__in", ("draft", "in_review"))),
                    models.Q(
                        models.Q(("state__in", ("draft", "in_review")), _negated=True), ("published_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="template_version_published_at",
            ),
        ),
        ValidateConstraint(model_name="templateversion", name="template_version_state_known"),
        ValidateConstraint(model_name="templateversion", name="template_version_published_at"),
        migrations.RunSQL(_IMMUTABLE, _MUTABLE),
    ]
