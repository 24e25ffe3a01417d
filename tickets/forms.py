"""What agents fill in."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _


class ApiKeyForm(forms.Form):
    """The field never shows what was typed: a key on a screen is a key in a photograph."""

    api_key = forms.CharField(
        label=_("API key"),
        max_length=512,
        validators=[
            RegexValidator(r"^[!-~]+\Z", _("An API key has only letters, digits and symbols, no spaces."))
        ],
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
