from django.db import migrations


def forget(apps, schema_editor):
    """Forget the real names of agents from the identity provider. They were kept until now, and never shown."""
    accounts = apps.get_model("socialaccount", "SocialAccount").objects
    agents = apps.get_model("auth", "User").objects.filter(pk__in=accounts.values("user"))
    agents.update(first_name="", last_name="")


class Migration(migrations.Migration):

    dependencies = [
        ("tickets", "0008_forget_claims"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
