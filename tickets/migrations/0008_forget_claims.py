from django.db import migrations


def forget(apps, schema_editor):
    """What the identity provider said of agents, and their real names, were kept until now, and never read again."""
    accounts = apps.get_model("socialaccount", "SocialAccount").objects
    accounts.update(extra_data={})
    brought = apps.get_model("auth", "User").objects.filter(pk__in=accounts.values("user"))
    brought.update(first_name="", last_name="")


class Migration(migrations.Migration):

    dependencies = [
        ("tickets", "0007_activity_ticket_number"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
