from django.db import migrations


def forget(apps, schema_editor):
    """What the identity provider said of agents was kept until now, and never read again."""
    apps.get_model("socialaccount", "SocialAccount").objects.update(extra_data={})


class Migration(migrations.Migration):

    dependencies = [
        ("tickets", "0007_activity_ticket_number"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
    ]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
