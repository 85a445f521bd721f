"""What every scheme is made of: players and their update, the order of play, codes, classes, sampling and serving.

from keras_gans.engine import GAN, register_scheme
"""

from typing import TYPE_CHECKING

from keras_gans.lazy import public_names as _public_names

if TYPE_CHECKING:
    from keras_gans.engine.base import AdversarialModel as AdversarialModel
    from keras_gans.engine.base import register_scheme as register_scheme
    from keras_gans.engine.class_and_style import ClassAndStyle as ClassAndStyle
    from keras_gans.engine.class_conditional import ClassConditionalGAN as ClassConditionalGAN
    from keras_gans.engine.classifying import Classifier as Classifier
    from keras_gans.engine.classifying import ClassifyingGAN as ClassifyingGAN
    from keras_gans.engine.encoding import EncodingModel as EncodingModel
    from keras_gans.engine.phases import Phase as Phase
    from keras_gans.engine.serving import Sampler as Sampler
    from keras_gans.engine.two_player import GAN as GAN

# Not imported here: layers and penalties need single modules of this package, which need layers.
_HOMES = {
    "AdversarialModel": "keras_gans.engine.base",
    "ClassAndStyle": "keras_gans.engine.class_and_style",
    "ClassConditionalGAN": "keras_gans.engine.class_conditional",
    "Classifier": "keras_gans.engine.classifying",
    "ClassifyingGAN": "keras_gans.engine.classifying",
    "EncodingModel": "keras_gans.engine.encoding",
    "GAN": "keras_gans.engine.two_player",
    "Phase": "keras_gans.engine.phases",
    "Sampler": "keras_gans.engine.serving",
    "register_scheme": "keras_gans.engine.base",
}

if not TYPE_CHECKING:
    # To a type checker, which reads the imports above, this would be any name at all.
    __getattr__, __dir__, __all__ = _public_names(__name__, _HOMES)
