"""The container image, built and run without a container engine: buildah in a chroot, on a base by debootstrap.

No image is pulled, and what the machine has of images is left alone: the images lie in a storage of their own.
`python -m tests.container` fetches the tools.
"""
